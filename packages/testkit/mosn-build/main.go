// MOSN with its core, its HTTP/1.1 proxy and nothing else. Its own main brings all of its extensions, and the modules of two of them (seata,
// wazero) are not to be had any more; none has to do with how MOSN upgrades itself.
package main

import (
	"os"

	"github.com/urfave/cli"

	_ "mosn.io/mosn/pkg/filter/network/connectionmanager"
	_ "mosn.io/mosn/pkg/filter/network/proxy"
	"mosn.io/mosn/pkg/mosn"
	_ "mosn.io/mosn/pkg/network"
	_ "mosn.io/mosn/pkg/router"
	_ "mosn.io/mosn/pkg/server/keeper"
	"mosn.io/mosn/pkg/stagemanager"
	_ "mosn.io/mosn/pkg/stream/http"
	_ "mosn.io/pkg/buffer"
)

func main() {
	app := cli.NewApp()
	app.Name = "mosn"
	app.Commands = []cli.Command{{
		Name:  "start",
		Flags: []cli.Flag{cli.StringFlag{Name: "config, c"}},
		Action: func(c *cli.Context) error {
			stages := stagemanager.InitStageManager(c, c.String("config"), mosn.NewMosn())
			stages.AppendInitStage(mosn.DefaultInitStage)
			stages.AppendPreStartStage(mosn.DefaultPreStartStage)
			stages.AppendStartStage(mosn.DefaultStartStage)
			stages.RunAll()
			return nil
		},
	}}
	if err := app.Run(os.Args); err != nil {
		os.Exit(1)
	}
}
