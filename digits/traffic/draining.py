"""Whether this server has been told to stop: from then on `/api/health/ready` says no, so that nobody new is sent here.

The server's main process, which imports this module before it forks, says so to all of its workers at once.
"""

import mmap

_flag = mmap.mmap(-1, 1)  # shared with every process forked later


def begin_draining() -> None:
    _flag[0] = 1


def is_draining() -> bool:
    return _flag[0] == 1
