"""Where the cloud, or this machine's workspace, differs from what git says."""
