"""For programs whose clock is faked: libfaketime refuses `time.sleep`, which asks for a moment.

(clock_nanosleep with TIMER_ABSTIME gives EINVAL in 0.9.10 where the monotonic clock is left alone.)
"""

import select
import time


def _sleep(seconds: float) -> None:
    select.select([], [], [], seconds)


vars(time)["sleep"] = _sleep
