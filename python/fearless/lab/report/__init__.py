"""How a comparison is shown: as text on one screen and as HTML in a notebook.

`table` says what stands in each row, `text` and `html` lay it out, `printer` prints. Nothing here measures or decides.
"""
