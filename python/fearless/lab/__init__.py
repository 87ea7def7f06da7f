"""The lab: measures patterns on a workload and says which one to use.

Holds nothing by itself: `record` has the types, `runner` measures, `rules` decides, `cli` prints.
Needs the extra ``fearless[lab]`` for printing; measuring needs the standard library only.
"""
