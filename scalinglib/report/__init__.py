"""The command line, and the report on anybody's runs that it writes."""
