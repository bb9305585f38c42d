/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/udp_echo.h"

enum { SYSTEM_PORTS = 1024 };

bool
service_udp_echo(struct base_datagram *datagram)
{
	const struct base_path *path = &datagram->path;

	if (path->remote.port < SYSTEM_PORTS || path->remote.port == path->local.port)
		return false;
	/* A path is seen from our side in both directions (base/datagram.h), so it stays as it is. */
	datagram->ecn = BASE_ECN_NOT_ECT;
	return true;
}
