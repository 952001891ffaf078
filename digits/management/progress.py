"""The bar that commands draw on a terminal while there is much to do."""


def bar(done: int, total: int) -> str:
    return f"[{'#' * (30 * done // total):30}] {done / total:4.0%}"
