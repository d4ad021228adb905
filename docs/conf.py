"""How Sphinx builds these pages: `make docs`, every warning an error."""

project = "Serinus"
author = "the Serinus team"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "Serinus"
html_theme_options = {"navigation_with_keys": True}
# Nothing is fetched from elsewhere: the pages can be read in a cluster without a way out.
html_css_files: list[str] = []
myst_heading_anchors = 4
myst_enable_extensions = ["attrs_inline"]
suppress_warnings = ["myst.header"]  # a page of a judge begins where its file begins
