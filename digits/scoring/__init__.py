"""Millions of pictures at once: an input is divided into parts, workers read them, and each part becomes a file.

`files` (folders here and elsewhere), `pictures` and `tables` (what an input may be), `job` (which parts there are, and
which are done), `forms` (the files of the output), `workers` (pictures become answers), `engine` (workers on Ray).
"""
