package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/connectors"
	"github.com/weirflow/weirflow/services/transform/internal/script"
	"github.com/weirflow/weirflow/services/transform/internal/sql"
)

func main() {
	b, _ := os.ReadFile(os.Args[1])
	var st []string
	json.Unmarshal(b, &st)
	s := sql.NewSession(sql.Options{Setting: script.CheckSetting, Validate: connectors.All().Validate})
	for _, q := range st {
		if strings.HasPrefix(q, "--") {
			fmt.Println(q)
			continue
		}
		res, err := s.Run(q)
		fmt.Println(">", q)
		if err != nil {
			fmt.Println("   W ERR", err)
			continue
		}
		r := res[0]
		if r.Info == nil {
			continue
		}
		var h []string
		for _, c := range r.Info.Columns {
			h = append(h, c.Name)
		}
		fmt.Println("   W", h)
		for _, row := range r.Info.Rows {
			var v []string
			for _, c := range row {
				if c == nil {
					v = append(v, "null")
				} else {
					v = append(v, *c)
				}
			}
			fmt.Println("     ", strings.Join(v, " | "))
		}
	}
}
