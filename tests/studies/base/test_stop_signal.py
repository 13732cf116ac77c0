"""Signals as a wish: noted, heard again after Ray took them, never in the way of cleaning up."""

import os
import signal
import threading

import pytest

from studies.base.stop_signal import RunInterruptedError, Wish, watching_signals


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


def test_a_signal_is_a_wish_and_the_first_one_counts() -> None:
    with watching_signals() as wish:
        assert not wish
        send(signal.SIGTERM)
        send(signal.SIGINT)
        assert wish
        assert wish.received is signal.SIGTERM


def test_handlers_are_put_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with watching_signals():
        assert signal.getsignal(signal.SIGINT) not in before
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_handler_that_somebody_else_set_is_replaced() -> None:
    with watching_signals() as wish:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as Ray does when it starts
        wish.listen()
        send(signal.SIGTERM)
        assert wish


def test_a_second_ctrl_c_breaks_off_training_but_no_cleaning_up() -> None:
    with watching_signals() as wish:
        send(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt), wish.may_break_off():
            send(signal.SIGINT)
        send(signal.SIGINT)  # a third one finds the run cleaning up
        with wish.may_break_off():
            send(signal.SIGINT)
    with watching_signals() as wish:
        send(signal.SIGINT)
        send(signal.SIGINT)
        assert wish, "outside of training both are noted and nothing is broken off"


def test_a_second_sigterm_breaks_nothing_off() -> None:
    with watching_signals() as wish, wish.may_break_off():
        send(signal.SIGTERM)
        send(signal.SIGTERM)
        assert wish.received is signal.SIGTERM


def test_another_thread_gets_no_signals_and_no_error() -> None:
    wishes: list[Wish] = []

    def watch() -> None:
        with watching_signals() as wish:
            wish.listen()
            wishes.append(wish)

    thread = threading.Thread(target=watch)
    thread.start()
    thread.join()
    assert [bool(wish) for wish in wishes] == [False]


@pytest.mark.parametrize(
    ("number", "exit_code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_the_error_says_how_to_go_on(number: signal.Signals, exit_code: int, word: str) -> None:
    error = RunInterruptedError(number, "studies run x")
    assert error.exit_code == exit_code
    assert str(error).splitlines() == [
        f"{word}; everything recorded is kept",
        "Go on with: studies run x",
    ]
