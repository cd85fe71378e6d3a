"""The routes, one module per noun: its router, its views, its thin handlers."""
