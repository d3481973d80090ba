"""The gazetteer: the compact table `gazetteer.msgpack.gz`, the tables it is built from, and `build`, which builds it."""
