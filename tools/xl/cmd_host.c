#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "cmd.h"
#include "abi/sysctl.h"

static void
text_line(const char *key, const char *value)
{
	printf("%-23s: %s\n", key, value);
}

static void
number_line(const char *key, unsigned long long value)
{
	printf("%-23s: %llu\n", key, value);
}

static void
print_machine(const struct hvinfo_machine *m)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} caps[] = {
		{ XEN_SYSCTL_PHYSCAP_pv, " pv" },
		{ XEN_SYSCTL_PHYSCAP_hvm, " hvm" },
		{ XEN_SYSCTL_PHYSCAP_hap, " hap" },
		{ XEN_SYSCTL_PHYSCAP_shadow, " shadow" },
		{ XEN_SYSCTL_PHYSCAP_gnttab_v1, " gnttab-v1" },
		{ XEN_SYSCTL_PHYSCAP_gnttab_v2, " gnttab-v2" },
	};

	number_line("nr_cpus", m->cpus);
	number_line("max_cpu_id", m->max_cpu_id);
	number_line("nr_nodes", m->nodes);
	number_line("cores_per_socket", m->cores_per_socket);
	number_line("threads_per_core", m->threads_per_core);
	printf("%-23s: %u.%03u\n", "cpu_mhz", m->cpu_khz / 1000,
	    m->cpu_khz % 1000);
	printf("%-23s: ", "hw_caps");
	for (int i = 0; i < 8; i++)
		printf("%08x%s", m->hw_cap[i], i < 7 ? ":" : "\n");
	printf("%-23s:", "virt_caps");
	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		if ((m->capabilities & caps[i].bit) != 0)
			printf("%s", caps[i].name);
	}
	putchar('\n');
	number_line("total_memory", m->total_kib / 1024);
	number_line("free_memory", m->free_kib / 1024);
	number_line("sharing_freed_memory", 0);
	number_line("sharing_used_memory", 0);
	number_line("outstanding_claims", 0);
	number_line("free_cpus", 0);
}

static void
print_version(const struct hvinfo_version *v)
{
	number_line("xen_major", v->major);
	number_line("xen_minor", v->minor);
	text_line("xen_extra", v->extra);
	printf("%-23s: %u.%u%s\n", "xen_version", v->major, v->minor, v->extra);
	text_line("xen_caps", v->capabilities);
	number_line("xen_pagesize", v->page_size);
	printf("%-23s: virt_start=0x%llx\n", "platform_params",
	    (unsigned long long)v->virt_start);
	text_line("xen_changeset", v->changeset);
	text_line("xen_commandline", v->commandline);
	text_line("cc_compiler", v->compiler);
	text_line("cc_compile_by", v->compile_by);
	text_line("cc_compile_domain", v->compile_domain);
	text_line("cc_compile_date", v->compile_date);
	text_line("xend_config_format", "4");
}

static int
run_info(struct xl *xl, const struct cmd *cmd, int argc, char **argv)
{
	struct hvinfo_machine machine;
	struct hvinfo_version version;
	struct utsname host;

	/* There is one node, so that -n has nothing to add. */
	while (cmd_option(xl, cmd, argc, argv, ":n", NULL) != -1)
		;
	cmd_need_args(xl, cmd, argc, 0, 0);
	if (xl_need_info(xl) != 0)
		return CMD_FAILED;
	if (hvinfo_physinfo(xl->info, &machine) != 0 ||
	    hvinfo_version(xl->info, &version) != 0 || uname(&host) != 0) {
		xl_error(xl, "cannot ask the hypervisor: %s", strerror(errno));
		return CMD_FAILED;
	}
	text_line("host", host.nodename);
	text_line("release", host.release);
	text_line("version", host.version);
	text_line("machine", host.machine);
	print_machine(&machine);
	print_version(&version);
	return CMD_OK;
}

static int
run_dmesg(struct xl *xl, const struct cmd *cmd, int argc, char **argv)
{
	uint32_t index = 0;
	bool clear = false;
	char buf[16384];
	long n;

	while (cmd_option(xl, cmd, argc, argv, ":c", NULL) != -1)
		clear = true;
	cmd_need_args(xl, cmd, argc, 0, 0);
	if (xl_need_info(xl) != 0)
		return CMD_FAILED;
	while (
	    (n = hvinfo_console_read(xl->info, &index, buf, sizeof(buf))) > 0)
		fwrite(buf, 1, (size_t)n, stdout);
	if (n < 0 || (clear && hvinfo_console_clear(xl->info) != 0)) {
		xl_error(xl, "the console ring: %s", strerror(errno));
		return CMD_FAILED;
	}
	return CMD_OK;
}

const struct cmd cmd_host_table[] = {
	{ "info", run_info, "[-n]", "Get information about the host" },
	{ "dmesg", run_dmesg, "[-c]",
	    "Read and/or clear the hypervisor's messages" },
	{ NULL, NULL, NULL, NULL },
};
