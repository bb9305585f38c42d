/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificates and keys for tests, made with openssl; valid from 2020 to 2120 but for the one that expired in 2021. */
#ifndef TESTS_TLS_CERTIFICATES_H
#define TESTS_TLS_CERTIFICATES_H

static const char certificate_ecdsa[] __attribute__((unused)) =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBdzCCAR6gAwIBAgIBAjAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv\n"
	"c3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM\n"
	"CWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABEb5qY/LGW1Gfly4\n"
	"ecQkpRF7wgXsJbfQZDwLJDyDyaVSaOoQmahCoYCwtqmxHPgtpdht6Z3b49E6uzGU\n"
	"yBRKXNGjXzBdMA8GA1UdEwEB/wQFMAMBAf8wKwYDVR0RBCQwIoIJbG9jYWxob3N0\n"
	"gg9nYXRld2F5LmV4YW1wbGWHBH8AAAEwHQYDVR0OBBYEFNSqKzm1lwd2TxzY5Aod\n"
	"X7bpudTNMAoGCCqGSM49BAMCA0cAMEQCIAQW7xv3aXTxviXzWp7xiV4T3aLsCH78\n"
	"buSLI0To+uvWAiBLSjcrIVHG8Zm31miBBebtHJPWrwwp+RkCMSVGNyGQow==\n"
	"-----END CERTIFICATE-----\n";

static const char key_ecdsa[] __attribute__((unused)) =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgeAj9/0DvUAZmmP2W\n"
	"bdUyqIxdq28AzG86str95tZqiiuhRANCAARG+amPyxltRn5cuHnEJKURe8IF7CW3\n"
	"0GQ8CyQ8g8mlUmjqEJmoQqGAsLapsRz4LaXYbemd2+PROrsxlMgUSlzR\n"
	"-----END PRIVATE KEY-----\n";

static const char certificate_ed25519[] __attribute__((unused)) =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBNzCB6qADAgECAgEDMAUGAytlcDAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwIBcN\n"
	"MjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMMCWxvY2Fs\n"
	"aG9zdDAqMAUGAytlcAMhAPrmTJ99qKKnBvEHv3yqAPWYW7bkBqYidAmGp2HoxzSH\n"
	"o18wXTAPBgNVHRMBAf8EBTADAQH/MCsGA1UdEQQkMCKCCWxvY2FsaG9zdIIPZ2F0\n"
	"ZXdheS5leGFtcGxlhwR/AAABMB0GA1UdDgQWBBSXUMoBxrnHOKlLZnL42J2r1k81\n"
	"oTAFBgMrZXADQQASOhvtdFEaFSH2JYOzrktOrYEwmEz1tgs99Knpe8cL1GD2dDbJ\n"
	"PlvdRAgQ33Gi3+DExrtF+N4iNnkaP2uy3uIP\n"
	"-----END CERTIFICATE-----\n";

static const char key_ed25519[] __attribute__((unused)) =
	"-----BEGIN PRIVATE KEY-----\n"
	"MC4CAQAwBQYDK2VwBCIEICGjgNMUfjOd0KLrw8kUKuSkhvT9UnBnjPlUjZ4OTgIV\n"
	"-----END PRIVATE KEY-----\n";

static const char key_encrypted[] __attribute__((unused)) =
	"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
	"MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAirGXrGL6spAAICCAAw\n"
	"DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEFBLlMNLUaetFlmsUTr0qU4EgZBu\n"
	"MDMxO9gULeoxp2NdWPZ7vlZZ0/BihiFkPDpH8prSVTrJbRX3z/XP3zerJercI7J3\n"
	"AGkK+zUiN/Bc9lywpAd0NLJi/BQux9StbHlEgPU7+6OlZPOCB7lj9IGNjrCvnCck\n"
	"3wGSJv8yvcZwiTvBlDpmI9zM/IBNQo5L8Z6tWjzzW8WXOYLttapUJs+BF9RZ+is=\n"
	"-----END ENCRYPTED PRIVATE KEY-----\n";

static const char certificate_expired[] __attribute__((unused)) =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBEDCBtgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwHhcN\n"
	"MjAwMTAxMDAwMDAwWhcNMjEwMTAxMDAwMDAwWjAUMRIwEAYDVQQDDAlsb2NhbGhv\n"
	"c3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARG+amPyxltRn5cuHnEJKURe8IF\n"
	"7CW30GQ8CyQ8g8mlUmjqEJmoQqGAsLapsRz4LaXYbemd2+PROrsxlMgUSlzRMAoG\n"
	"CCqGSM49BAMCA0kAMEYCIQCbzH01GC1irrtejPVjBaikOmFE6qaQVEgm7f+EKvrV\n"
	"DwIhAPNPJF4GWt35JQwyES3bRA740jVLi3xdVvSDXD2/yqGw\n"
	"-----END CERTIFICATE-----\n";

#endif
