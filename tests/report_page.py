"""What a report, an HTML page, refers to and holds: shared by the tests of reports."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """What a page refers to, and the cells of its tables by their names."""

    def __init__(self, text: str):
        super().__init__()
        self.links, self.sources, self.ids, self.tables, self.cell = [], [], [], {}, None
        self.pictures, self.saved = [], {}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.ids += filter(None, [values.get("id")])
        self.links += filter(None, [values.get("href")])
        self.sources += filter(None, [values.get("src")])
        if tag == "img":
            self.pictures.append(values)
        if "download" in values:
            self.saved[values["download"]] = values["href"]
        if tag == "table" and "aria-label" in values:
            self.rows = self.tables.setdefault(values["aria-label"], [])
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append((values.get("data-key"), ""))
            self.cell = self.rows[-1]

    def handle_data(self, data):
        if self.cell is not None:
            key, text = self.cell[-1]
            self.cell[-1] = (key, text + data)

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.cell = None
