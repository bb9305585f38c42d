/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The configuration in the words of each library. */
#ifndef APP_MILLRACE_LIMITS_H
#define APP_MILLRACE_LIMITS_H

#include "config/config.h"
#include "manager/policy.h"
#include "net/interface.h"
#include "quic/limits.h"
#include "shard/shard.h"
#include "tls/tls.h"

struct quic_limits limits_quic(const struct config *config);
struct shard_idle limits_idle(const struct config *config);
struct manager_policy_limits limits_rebalance(const struct config *config);
/* Addresses, gateways and VLAN; the rest is the port's. */
struct net_interface_config limits_interface(const struct config *config, const struct config_port *port);
/*
 * Certificate, ciphers, groups, ALPN of the services that are on; texts are borrowed from the
 * configuration.
 */
struct tls_settings limits_tls(const struct config *config);

#endif
