"""Signals as a request to stop: noted, heard again after Ray took them, never in the way of cleaning up."""

import os
import signal
import threading

import pytest

from studies.base.stop_signal import RunInterruptedError, StopSignal, watching_signals


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


def test_a_signal_is_a_stop_signal_and_the_first_one_counts() -> None:
    with watching_signals() as stop_signal:
        assert not stop_signal
        send(signal.SIGTERM)
        send(signal.SIGINT)
        assert stop_signal
        assert stop_signal.received is signal.SIGTERM


def test_handlers_are_put_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with watching_signals():
        assert signal.getsignal(signal.SIGINT) not in before
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_handler_that_somebody_else_set_is_replaced() -> None:
    with watching_signals() as stop_signal:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as Ray does when it starts
        stop_signal.listen()
        send(signal.SIGTERM)
        assert stop_signal


def test_a_second_ctrl_c_breaks_off_training_but_no_cleaning_up() -> None:
    with watching_signals() as stop_signal:
        send(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt), stop_signal.may_break_off():
            send(signal.SIGINT)
        send(signal.SIGINT)  # a third one finds the run cleaning up
        with stop_signal.may_break_off():
            send(signal.SIGINT)
    with watching_signals() as stop_signal:
        send(signal.SIGINT)
        send(signal.SIGINT)
        assert stop_signal, "outside of training both are noted and nothing is broken off"


def test_a_second_sigterm_breaks_nothing_off() -> None:
    with watching_signals() as stop_signal, stop_signal.may_break_off():
        send(signal.SIGTERM)
        send(signal.SIGTERM)
        assert stop_signal.received is signal.SIGTERM


def test_another_thread_gets_no_signals_and_no_error() -> None:
    stop_signals: list[StopSignal] = []

    def watch() -> None:
        with watching_signals() as stop_signal:
            stop_signal.listen()
            stop_signals.append(stop_signal)

    thread = threading.Thread(target=watch)
    thread.start()
    thread.join()
    assert [bool(stop_signal) for stop_signal in stop_signals] == [False]


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
