"""The verbs of this repo as a program: `./demand VERB --option value`, or `make VERB OPTION=value`."""
