"""Small jobs to begin with, one for each way in which parts become a result. Their text is written into programs.

Each is a workload, so that what is made of it can be measured with ``fearless compare`` as it is.
"""
