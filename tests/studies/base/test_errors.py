"""Errors for users: two parts, an exit code each, and whole after pickling."""

import pickle

from studies.base.errors import HeldError, StudiesError, UsageError


class TestErrors:
    def test_each_kind_has_its_exit_code_and_two_part_text(self) -> None:
        assert str(StudiesError("it failed", "do this")) == "it failed\ndo this"
        assert [kind.exit_code for kind in (StudiesError, UsageError, HeldError)] == [1, 2, 3]
        assert issubclass(UsageError, StudiesError)
        assert issubclass(HeldError, StudiesError)

    def test_one_mistake_stands_alone_and_several_are_listed(self) -> None:
        assert str(UsageError(["a"], "do")) == "a\ndo"
        assert str(UsageError(["a", "b"], "do")) == "2 mistakes:\n- a\n- b\ndo"

    def test_errors_survive_pickling(self) -> None:
        again = pickle.loads(pickle.dumps(UsageError(["a", "b"], "do")))
        assert (again.mistakes, again.advice) == (("a", "b"), "do")
