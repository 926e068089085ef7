"""The origin over HTTP: routes, the services behind them, the description and the server."""
