#include "rows.h"

#include "domcfg.h"

/* By the code that a domain shut down with: poweroff, reboot, suspend, crash,
 * watchdog, soft reset. */
static const char reasons[] = "-rscwS";

void
rows_state(const struct hvinfo_domain *d, char buf[ROWS_STATE])
{
	char reason = '-';

	if (d->shutdown)
		reason = d->shutdown_code < sizeof(reasons) - 1
			     ? reasons[d->shutdown_code]
			     : '?';
	buf[0] = d->running ? 'r' : '-';
	buf[1] = d->blocked ? 'b' : '-';
	buf[2] = d->paused ? 'p' : '-';
	buf[3] = d->shutdown ? 's' : '-';
	buf[4] = reason;
	buf[5] = d->dying ? 'd' : '-';
	buf[6] = '\0';
}

void
rows_header(FILE *out, enum rows_style style, unsigned more)
{
	if (style == ROWS_XM)
		fprintf(out, "%-40s %5s %5s %5s %10s %9s", "Name", "ID", "Mem",
		    "VCPUs", "State", "Time(s)");
	else
		fprintf(out, "%-44s%2s%6s%6s\tState\tTime(s)", "Name", "ID",
		    "Mem", "VCPUs");
	if (more & ROWS_VERBOSE)
		fprintf(out, "   UUID                            Reason-Code\t"
			     "Security Label");
	if (more & ROWS_NUMA)
		fprintf(out, " NODE Affinity");
	putc('\n', out);
}

void
rows_domain(FILE *out, enum rows_style style, unsigned more,
    const struct hvinfo_domain *d, const char *name)
{
	unsigned long mib = (unsigned long)(d->memory_kib / 1024);
	double seconds = (double)d->cpu_time_ns / 1e9;
	char state[ROWS_STATE], uuid[DOMCFG_UUID_TEXT];

	if (name == NULL)
		name = "(null)";
	rows_state(d, state);
	if (style == ROWS_XM)
		fprintf(out, "%-40s %5u %5lu %5u %10s %9.1f", name, d->domid,
		    mib, d->vcpus, state, seconds);
	else
		fprintf(out, "%-40s %5u %5lu %5u     %s  %8.1f", name, d->domid,
		    mib, d->vcpus, state, seconds);
	domcfg_format_uuid(d->uuid, uuid);
	if ((more & ROWS_VERBOSE) && d->shutdown)
		fprintf(out, " %s %8u %16s", uuid, d->shutdown_code, "-");
	else if (more & ROWS_VERBOSE)
		fprintf(out, " %s %8s %16s", uuid, "-", "-");
	if (more & ROWS_NUMA)
		fprintf(out, " any node");
	putc('\n', out);
}
