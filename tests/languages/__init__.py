"""What there is to translate, and the catalogues that are kept up with it: see `collect` and `update`."""
