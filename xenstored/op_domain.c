/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "common/path.h"
#include "xenstored/domain.h"
#include "xenstored/ops.h"

/* INTRODUCE <domid> <gfn> <port> -> OK. The ring is found by grant, not gfn. */
enum xs_err
op_introduce(struct request *req)
{
	uint32_t domid = (uint32_t)req->arg[0].num;
	uint32_t port = (uint32_t)req->arg[2].num;
	enum xs_err err;

	if (domid >= DOMID_FIRST_RESERVED || port == 0)
		return XS_EINVAL;
	/* Its own connection would start anew under the request's feet. */
	if (domid != 0 && domid == conn_domid(req->conn) && req->conn->is_ring)
		return XS_EINVAL;
	if (domid != 0) {
		err = domain_introduce(req->st, domid, port);
		if (err != XS_OK)
			return err;
	}
	return request_ok(req);
}

/* RELEASE <domid> -> OK */
enum xs_err
op_release(struct request *req)
{
	uint32_t domid = (uint32_t)req->arg[0].num;
	struct domain *d;

	if (domid == 0 || domid >= DOMID_FIRST_RESERVED)
		return XS_EINVAL;
	d = domain_find(req->st, domid);
	if (d == NULL)
		return XS_ENOENT;
	if (d->conn == req->conn)
		return XS_EINVAL; /* it could not be answered */
	domain_release(d);
	return request_ok(req);
}

/* GET_DOMAIN_PATH <domid> -> path, whether there is such a domain or not */
enum xs_err
op_get_domain_path(struct request *req)
{
	char path[PATH_HOME_MAX];

	path_home((uint32_t)req->arg[0].num, path);
	return request_reply_string(req, path);
}

/* IS_DOMAIN_INTRODUCED <domid> -> T or F */
enum xs_err
op_is_introduced(struct request *req)
{
	uint32_t domid = (uint32_t)req->arg[0].num;
	bool is = domid == 0 || domid == DOMID_SELF ||
		  domain_find(req->st, domid) != NULL;

	return request_reply_string(req, is ? "T" : "F");
}

/* RESUME <domid> -> OK; its next shutdown will be told again. */
enum xs_err
op_resume(struct request *req)
{
	uint32_t domid = (uint32_t)req->arg[0].num;
	struct domain *d;

	if (domid == 0 || domid >= DOMID_FIRST_RESERVED)
		return XS_EINVAL;
	d = domain_find(req->st, domid);
	if (d == NULL)
		return XS_ENOENT;
	d->shutdown = false;
	return request_ok(req);
}

/* SET_TARGET <domid> <target> -> OK */
enum xs_err
op_set_target(struct request *req)
{
	struct domain *d = domain_find(req->st, (uint32_t)req->arg[0].num);
	struct domain *target = domain_find(req->st, (uint32_t)req->arg[1].num);

	if (d == NULL || target == NULL)
		return XS_ENOENT;
	domain_set_target(d, target->self);
	return request_ok(req);
}

/* GET_FEATURE [<domid>] -> mask */
enum xs_err
op_get_feature(struct request *req)
{
	uint32_t features = conn_features(req->conn);
	struct principal *p;
	enum xs_err err;
	char text[16];

	if (req->n_args > 0) {
		if (!req->conn->who.privileged)
			return XS_EACCES;
		err = core_principal(req->st, (uint32_t)req->arg[0].num, &p);
		if (err != XS_OK)
			return err;
		features = p->features;
	}
	snprintf(text, sizeof(text), "%u", (unsigned)features);
	return request_reply_string(req, text);
}

/* SET_FEATURE <domid> <mask> -> OK, before the domain is introduced */
enum xs_err
op_set_feature(struct request *req)
{
	uint32_t domid = (uint32_t)req->arg[0].num;
	uint64_t mask = req->arg[1].num;
	struct principal *p;
	enum xs_err err;

	if ((mask & ~(uint64_t)WIRE_FEATURES) != 0)
		return XS_EINVAL;
	err = core_principal(req->st, domid, &p);
	if (err != XS_OK)
		return err;
	if (domid == 0 || domain_find(req->st, domid) != NULL)
		return XS_EBUSY;
	p->features = (uint32_t)mask;
	return request_ok(req);
}
