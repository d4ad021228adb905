// Render a chart as Helm does: its own loader, schema check and engine.
//
// One JSON object on standard input says which chart and values, one on standard output has the
// rendered files by name, or the words in which Helm refuses.
package main

import (
	"encoding/json"
	"log"
	"os"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
)

type order struct {
	Chart     string                 `json:"chart"`
	Name      string                 `json:"name"`
	Namespace string                 `json:"namespace"`
	Values    map[string]interface{} `json:"values"`
}

type answer struct {
	Files   map[string]string `json:"files"`
	Refusal string            `json:"refusal"`
}

func main() {
	var given order
	if err := json.NewDecoder(os.Stdin).Decode(&given); err != nil {
		log.Fatal(err)
	}
	files, err := render(given)
	told := answer{Files: files}
	if err != nil {
		told.Refusal = err.Error()
	}
	if err := json.NewEncoder(os.Stdout).Encode(told); err != nil {
		log.Fatal(err)
	}
}

func render(given order) (map[string]string, error) {
	chart, err := loader.Load(given.Chart)
	if err != nil {
		return nil, err
	}
	if err := chart.Validate(); err != nil {
		return nil, err
	}
	release := chartutil.ReleaseOptions{
		Name:      given.Name,
		Namespace: given.Namespace,
		IsInstall: true,
	}
	values, err := chartutil.ToRenderValues(chart, given.Values, release, nil)
	if err != nil {
		return nil, err
	}
	return engine.Engine{Strict: true}.Render(chart, values)
}
