"""The tests. libxml2 reads its catalogue once, at the first import of lxml, so it is named here."""

import os

os.environ.setdefault("XML_CATALOG_FILES", "/usr/share/xml/w3c-sgml-lib/schema/dtd/catalog.xml")

#: Seconds until a test gives up waiting for something, however busy the machine is. Nothing that works waits that long,
#: and no test may measure by it.
PATIENCE = 300.0
