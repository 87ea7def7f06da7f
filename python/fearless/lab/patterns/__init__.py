"""The patterns: one file each of plain code, as a reader would write it by hand with the toolkit.

A file states its card and holds `collect`, `fold` or both. ``collect`` is for jobs without a state and gives the
parts in the order of the items; ``fold`` gives the state. Items come in one order, and are chunked and merged in one
way, wherever a pattern can.
"""
