"""Operators' tools around Terraform: names, outputs for the Makefile, plan guard, doctor."""
