"""The HTML report of a study: where its files are, its headlines, pictures and cells, and the page."""
