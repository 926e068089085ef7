"""Storage: the ports of memory, PostgreSQL and the in-memory twin behind them."""
