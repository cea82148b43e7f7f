"""The offline generator of the demo data: speech with exact phoneme times, and rendered heads that speak it.

Never imported by asdbench; has its own requirements (requirements.txt). ``python -m tools.demo_data --help``.
"""
