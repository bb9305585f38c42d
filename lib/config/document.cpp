/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/document.h"

#include <string>
#include <string_view>

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace
{

document_place
place_of(const toml::source_region &region)
{
	return {region.begin.line, region.begin.column};
}

document_value
scalar(const toml::node &node)
{
	document_value value = {};

	value.type = DOCUMENT_OTHER;
	value.place = place_of(node.source());
	if (const auto *boolean = node.as_boolean()) {
		value.type = DOCUMENT_BOOL;
		value.boolean = boolean->get();
	} else if (const auto *integer = node.as_integer()) {
		value.type = DOCUMENT_INTEGER;
		value.integer = integer->get();
	} else if (const auto *text = node.as_string()) {
		value.type = DOCUMENT_TEXT;
		value.text = text->get().c_str();
		value.length = text->get().size();
	} else if (const auto *list = node.as_array()) {
		value.type = DOCUMENT_LIST;
		value.count = static_cast<uint32_t>(list->size());
	}
	return value;
}

void walk(const toml::table &table, const std::string &path, uint32_t entry, const document_visitor &visitor);

/* A table within a table, or an array that holds nothing but tables. */
void
walk_tables(const toml::node &node, const std::string &path, document_place place,
	const document_visitor &visitor)
{
	if (const auto *table = node.as_table()) {
		visitor.table(visitor.user, path.c_str(), 0, false, place);
		walk(*table, path, 0, visitor);
		return;
	}
	uint32_t entry = 0;
	for (const auto &element : *node.as_array()) {
		visitor.table(visitor.user, path.c_str(), entry, true, place_of(element.source()));
		walk(*element.as_table(), path, entry, visitor);
		entry++;
	}
}

void
walk(const toml::table &table, const std::string &path, uint32_t entry, const document_visitor &visitor)
{
	for (const auto &[key, node] : table) {
		const std::string name(key.str());
		const document_place place = place_of(key.source());
		if (node.is_table() || (node.is_array() && node.as_array()->is_array_of_tables())) {
			walk_tables(node, path.empty() ? name : path + "." + name, place, visitor);
			continue;
		}
		const document_value value = scalar(node);
		visitor.value(visitor.user, path.c_str(), entry, name.c_str(), place, &value);
		if (value.type != DOCUMENT_LIST)
			continue;
		for (const auto &element : *node.as_array()) {
			const document_value item = scalar(element);
			visitor.element(visitor.user, &item);
		}
	}
}

} // namespace

extern "C" void
document_read(const char *text, size_t length, const struct document_visitor *visitor)
{
	const toml::parse_result result = toml::parse(std::string_view(text, length));

	if (result) {
		walk(result.table(), "", 0, *visitor);
		return;
	}
	const std::string what(result.error().description());
	visitor->broken(visitor->user, what.c_str(), place_of(result.error().source()));
}
