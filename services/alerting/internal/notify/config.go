// Package notify brings alerts to people: the Alertmanager's engine (routing,
// grouping, inhibition, silences, repetition) in this process, with state that
// outlives it and with further channels.
package notify

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/alertmanager/config"

	"github.com/weirflow/weirflow/services/alerting/internal/channel"
)

// Default is the configuration where none is given: alerts are kept and shown, and
// nobody is told.
const Default = `route:
  receiver: nobody
  group_by: [alertname, job]
  group_wait: 0s
  group_interval: 1m
  repeat_interval: 4h
receivers:
- name: nobody
`

// File is a configuration: that of the Alertmanager, and the channels which it does
// not have, by receiver.
type File struct {
	*config.Config
	// Channels are entries of lists such as wecom_bot_configs, in their order.
	Channels map[string][]Channel
	// Escalations are those of the list of that name.
	Escalations []Escalation
}

// Channel is an entry of a list of channels of a receiver.
type Channel struct {
	// Kind is the key of the list without _configs; Index the place in it.
	Kind   string
	Index  int
	Config channel.Config
}

// LoadFile reads a configuration file. Paths in it are relative to its folder.
func LoadFile(path string, known channel.Registry) (*File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the configuration of notifications: %w", err)
	}
	f, err := Load(string(text), known)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for i, t := range f.Templates {
		if !filepath.IsAbs(t) {
			f.Templates[i] = filepath.Join(filepath.Dir(path), t)
		}
	}
	f.Global.HTTPConfig.SetDirectory(filepath.Dir(path))
	return f, nil
}

// Load reads the text of a configuration: what the Alertmanager takes, and below a
// receiver the lists of channels that the registry knows.
func Load(text string, known channel.Registry) (*File, error) {
	var doc yaml.MapSlice
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return nil, errors.New(yaml.FormatError(err, false, true))
	}
	f := &File{Channels: make(map[string][]Channel)}
	found := false
	for i, item := range doc {
		if item.Key == "escalations" {
			var err error
			if f.Escalations, err = escalations(item.Value); err != nil {
				return nil, err
			}
			found = true
			continue
		}
		list, ok := item.Value.([]any)
		if item.Key != "receivers" || !ok {
			continue
		}
		for k, r := range list {
			receiver, ok := r.(map[string]any)
			if !ok {
				continue
			}
			own, err := take(receiver, known)
			if err != nil {
				return nil, err
			}
			if len(own) > 0 {
				name, _ := receiver["name"].(string)
				f.Channels[name] = own
				found = true
			}
			list[k] = receiver
		}
		doc[i].Value = list
	}
	doc = slices.DeleteFunc(doc, func(item yaml.MapItem) bool { return item.Key == "escalations" })
	if found { // otherwise the Alertmanager's errors may point into the file itself
		rest, err := yaml.Marshal(doc)
		if err != nil {
			return nil, err
		}
		text = string(rest)
	}
	var err error
	if f.Config, err = config.Load(text); err != nil {
		return nil, err
	}
	return f, f.route()
}

// take moves the lists of channels out of a receiver.
func take(receiver map[string]any, known channel.Registry) ([]Channel, error) {
	var all []Channel
	keys := make([]string, 0, len(known))
	for key := range known {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		entries, ok := receiver[key]
		if !ok {
			continue
		}
		delete(receiver, key)
		list, ok := entries.([]any)
		if !ok {
			return nil, fmt.Errorf("receiver %q: %s must be a list", receiver["name"], key)
		}
		for i, entry := range list {
			text, err := yaml.Marshal(entry)
			if err != nil {
				return nil, err
			}
			c, err := known.Decode(key, text)
			if err != nil {
				return nil, fmt.Errorf("receiver %q, entry %d: %w", receiver["name"], i+1, err)
			}
			all = append(all, Channel{Kind: strings.TrimSuffix(key, "_configs"), Index: i, Config: c})
		}
	}
	return all, nil
}
