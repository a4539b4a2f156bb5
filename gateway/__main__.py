"""`python -m gateway` is the command `pocketpost`."""

from gateway.cli import main

if __name__ == "__main__":
    main()
