"""One module per figure of the paper; a figure is a function of tables (`FIGURES` in study/catalogue.py)."""
