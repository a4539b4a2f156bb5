"""The tests. libxml2 reads its catalogue once, at the first import of lxml, so it is named here."""

import os

os.environ.setdefault("XML_CATALOG_FILES", "/usr/share/xml/w3c-sgml-lib/schema/dtd/catalog.xml")

#: Seconds until a test gives up waiting for what will come, however busy the machine is. Nothing waits so long that
#: goes well, and no test may measure by it.
PATIENCE = 300.0
