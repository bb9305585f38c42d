/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/datagram.h"

#include <arpa/inet.h>
#include <stdio.h>

const char *
base_address_text(const struct base_address *address, char *text)
{
	char ip[INET6_ADDRSTRLEN] = "?";

	if (base_address_is_ipv4(address)) {
		inet_ntop(AF_INET, address->ip + 12, ip, sizeof(ip));
		snprintf(text, BASE_ADDRESS_TEXT, "%s:%u", ip, address->port);
	} else {
		inet_ntop(AF_INET6, address->ip, ip, sizeof(ip));
		snprintf(text, BASE_ADDRESS_TEXT, "[%s]:%u", ip, address->port);
	}
	return text;
}
