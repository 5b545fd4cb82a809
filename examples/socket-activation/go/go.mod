module sidestep.dev/examples/socket-activation

go 1.21
