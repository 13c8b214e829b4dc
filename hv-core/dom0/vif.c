#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hv-core/dom0/device.h"
#include "hv-core/dom0/log.h"
#include "hv-core/dom0/tap.h"
#include "hv-core/dom0/vif.h"

struct vif {
	int tap; /* -1 until the interface exists */
};

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
vif_parse_mac(const char *text, uint8_t mac_out[6])
{
	uint8_t mac[6];

	for (int i = 0; i < 6; i++, text += 3) {
		int high = hex(text[0]);
		int low = high < 0 ? -1 : hex(text[1]);

		if (low < 0 || text[2] != (i < 5 ? ':' : '\0'))
			return -1;
		mac[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(mac_out, mac, sizeof(mac));
	return 0;
}

void
vif_dom0_mac(const uint8_t guest[6], uint8_t mac_out[6])
{
	memcpy(mac_out, guest, 6);
	mac_out[3]++;
}

/* What the frontend may do: packets in pieces, but with their checksum. */
static int
publish(struct xenbus *xb, uint32_t tx, void *arg)
{
	static const struct {
		const char *node, *value;
	} features[] = {
		{ "feature-rx-copy", "1" },
		{ "feature-ipv6-csum-offload", "0" },
		{ "feature-no-csum-offload", "1" },
		{ "feature-sg", "1" },
	};
	struct device *dev = arg;
	int rc = xenbus_printf(xb, tx, dev->path, "vifname", "%s", dev->name);

	for (size_t i = 0;
	     rc == 0 && i < sizeof(features) / sizeof(features[0]); i++)
		rc = xenbus_printf(xb, tx, dev->path, features[i].node, "%s",
		    features[i].value);
	return rc;
}

static int
vif_attach(struct device *dev)
{
	struct xenbus *xb = dev->host->xb;
	struct vif *v = calloc(1, sizeof(*v));
	char text[32], why[160];
	uint8_t mac[6];
	int rc;

	if (v == NULL)
		return device_why(dev, ENOMEM, "memory");
	v->tap = -1;
	dev->priv = v;
	rc = xenbus_read_str(
	    xb, XENBUS_NO_TX, dev->path, "mac", text, sizeof(text));
	if (rc != 0)
		return device_why(dev, -rc, "reading mac");
	if (vif_parse_mac(text, mac) != 0)
		return device_why(dev, EINVAL, "mac '%s'", text);
	vif_dom0_mac(mac, mac);
	v->tap = tap_open(dev->name, mac, why, sizeof(why));
	if (v->tap < 0)
		return device_why(dev, errno, "%s", why);
	rc = xenbus_transaction(xb, publish, dev);
	if (rc != 0)
		return device_why(dev, -rc, "writing features");
	rc = xenbus_switch_state(
	    xb, XENBUS_NO_TX, dev->path, XenbusStateInitWait);
	return rc == 0 ? 0 : device_why(dev, -rc, "writing state");
}

static void
vif_release(struct device *dev)
{
	struct vif *v = dev->priv;

	if (v != NULL && v->tap >= 0)
		close(v->tap); /* the interface goes with it */
	free(v);
	dev->priv = NULL;
}

static int
vif_connect(
    struct device *dev, enum xenbus_state front, struct service_spec *spec)
{
	static const char *const nodes[] = { "tx-ring-ref", "rx-ring-ref",
		"event-channel", "request-rx-copy" };
	struct vif *v = dev->priv;
	uint64_t value[4], keep = 0;

	for (int i = 0; i < 4; i++) {
		int rc = xenbus_read_num(dev->host->xb, XENBUS_NO_TX,
		    dev->front.path, nodes[i], UINT32_MAX, &value[i]);

		/* NetBSD's frontend writes them after 3, before 4. */
		if (rc == -ENOENT && front == XenbusStateInitialised)
			return -EAGAIN;
		if (rc != 0)
			return device_why(dev, -rc, "reading %s/%s",
			    dev->front.path, nodes[i]);
	}
	if (value[3] != 1)
		return device_why(
		    dev, EOPNOTSUPP, "the frontend does not ask for rx-copy");
	/* Only what our own frontend says of its buffers; for others it is
	 * absent and each round maps what it needs. */
	if (xenbus_read_num_or(dev->host->xb, XENBUS_NO_TX, dev->front.path,
		"feature-persistent", 1, 0, &keep) != 0)
		keep = 0;
	spec->kind = SERVICE_VIF;
	spec->keep = keep != 0;
	spec->ref[0] = (uint32_t)value[0];
	spec->ref[1] = (uint32_t)value[1];
	spec->port = (uint32_t)value[2];
	spec->fd = v->tap;
	return 0;
}

static void
vif_connected(struct device *dev)
{
	(void)xenbus_switch_state(
	    dev->host->xb, XENBUS_NO_TX, dev->path, XenbusStateConnected);
	dom0_log(dev->name, "rings %u and %u, event channel %u",
	    dev->spec.ref[0], dev->spec.ref[1], dev->spec.port);
}

const struct device_driver vif_driver = {
	.type = "vif",
	.attach = vif_attach,
	.connect = vif_connect,
	.connected = vif_connected,
	.release = vif_release,
};
