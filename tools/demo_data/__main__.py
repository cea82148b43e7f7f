"""``python -m tools.demo_data``."""

from tools.demo_data.generate import main

if __name__ == "__main__":
    main(prog_name="python -m tools.demo_data")
