module sidestep.dev/examples/takeover-go

go 1.21
