"""`searchask ui`."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipelines.extras import require
from pipelines.page.site import Site


def ui_command(args: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C."""
    if args.mcp:
        require("mcp", extra="mcp", what="--mcp")
    site = Site(Path(args.place))
    from ui import serve  # late: Gradio takes seconds, and a wrong path should not

    serve(
        site,
        host=args.host,
        port=args.port,
        users=Path(args.auth) if args.auth else None,
        trusted=args.host_name,
        edit=args.edit,
        mcp=args.mcp,
    )
    return 0
