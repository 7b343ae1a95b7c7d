package process

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/weirflow/weirflow/services/agent/internal/document"
	"github.com/weirflow/weirflow/services/agent/internal/settings"
)

// additions are the processors that put something into events.
func additions() map[string]kind {
	return map[string]kind{
		"add_fields": {
			options:  settings.Table{{Key: "target", Type: settings.String, Default: "fields"}, {Key: "fields", Type: settings.Any}},
			required: []string{"fields"}, static: true, build: addFields,
		},
		"add_labels": {options: settings.Table{{Key: "labels", Type: settings.Any}}, required: []string{"labels"}, static: true, build: addLabels},
		"add_tags": {
			options:  settings.Table{{Key: "tags", Type: settings.Strings}, {Key: "target", Type: settings.String}},
			required: []string{"tags"}, static: true, build: addTags,
		},
		"add_host_metadata": {
			options: settings.Table{
				{Key: "netinfo.enabled", Type: settings.Bool, Default: "true"}, {Key: "cache.ttl", Type: settings.Ignored}, {Key: "expire_update_timeout", Type: settings.Ignored},
				{Key: "geo", Type: settings.Any}, {Key: "replace_fields", Type: settings.Bool, Default: "true"},
			}, static: true, build: addHostMetadata,
		},
		"add_id":     {options: settings.Table{{Key: "target_field", Type: settings.String}, {Key: "type", Type: settings.String}}, build: addID},
		"add_locale": {options: settings.Table{{Key: "format", Type: settings.String, Default: "offset"}}, static: true, build: addLocale},
	}
}

func addFields(b builder) (step, error) {
	given, ok := b.node.Get("fields").Plain().(document.Map)
	if !ok {
		return nil, errors.New("fields should be a mapping")
	}
	target := b.String("target")
	if n := b.node.Get("target"); n != nil {
		target, _ = n.Text()
	}
	switch {
	case target == "@metadata":
		return func(e *document.Event) bool {
			if e.Meta == nil {
				e.Meta = document.Map{}
			}
			document.Merge(e.Meta, given, true)
			return true
		}, nil
	case target != "":
		given = document.Map{target: given}
	}
	return func(e *document.Event) bool {
		document.Merge(e.Fields, given, true)
		return true
	}, nil
}

func addLabels(b builder) (step, error) {
	leaves := map[string]*settings.Node{}
	flatten("", b.node.Get("labels"), leaves)
	labels := document.Map{}
	for k, n := range leaves {
		if n.Kind == settings.List {
			for i, it := range n.Items {
				s, _ := it.Text()
				labels[fmt.Sprintf("%s.%d", k, i)] = s
			}
			continue
		}
		s, _ := n.Text()
		labels[k] = s
	}
	return func(e *document.Event) bool {
		document.Merge(e.Fields, document.Map{"labels": labels}, true)
		return true
	}, nil
}

func addTags(b builder) (step, error) {
	tags, target := b.Strings("tags"), b.String("target")
	if target == "" {
		target = "tags"
	}
	return func(e *document.Event) bool {
		_ = document.AddTags(e.Fields, target, tags) // what stands there stays
		return true
	}, nil
}

func addHostMetadata(b builder) (step, error) {
	object := b.env.Host.Object(b.env.Name, b.Bool("netinfo.enabled"))
	if geo := b.node.Get("geo"); geo != nil && geo.Kind == settings.Map {
		object["geo"] = geo.Plain()
	}
	replace := b.Bool("replace_fields")
	return func(e *document.Event) bool {
		if old, ok := e.Fields["host"].(document.Map); !replace && ok && (len(old) > 1 || len(old) == 1 && old["name"] == nil) {
			return true
		}
		document.Merge(e.Fields, document.Map{"host": object}, true)
		return true
	}, nil
}

func addID(b builder) (step, error) {
	target := b.String("target_field")
	if target == "" {
		target = "@metadata._id"
	}
	return func(e *document.Event) bool {
		id := strings.ReplaceAll(uuid.NewString(), "-", "")[:20]
		if err := e.Put(target, id); err != nil {
			fail(e, err.Error())
		}
		return true
	}, nil
}

func addLocale(b builder) (step, error) {
	format := strings.ToLower(b.String("format"))
	if format != "offset" && format != "abbreviation" {
		return nil, fmt.Errorf("format %q is neither offset nor abbreviation", format)
	}
	return func(e *document.Event) bool {
		zone := time.Now().Format("-07:00")
		if format == "abbreviation" {
			zone, _ = time.Now().Zone()
		}
		_ = e.Put("event.timezone", zone) // if event is no object, it stays
		return true
	}, nil
}
