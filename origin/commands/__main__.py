"""``python -m origin.commands``: the command line of exactly this interpreter."""

from origin.commands import main

main(prog_name="attune")
