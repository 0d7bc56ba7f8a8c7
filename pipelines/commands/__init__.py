"""What the command line does: one thin function a verb, over the plain functions of the other floors."""
