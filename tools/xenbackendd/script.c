#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <event2/event.h>

#include "tools/common/proc.h"
#include "tools/xenbackendd/script.h"

struct job {
	struct script_runner *runner;
	struct job *next;
	char *argv[4];
	script_done_fn *done;
	void *arg;
	pid_t pid; /* 0 while it waits for its turn */
	struct event *timer;
	int timed_out;
};

struct script_runner {
	struct event_base *base;
	struct event *sigchld;
	struct event *kick; /* there may be room for a waiting one */
	struct script_limits limits;
	struct job *running;
	struct job *waiting;
	struct job **waiting_tail;
	size_t n_running, n_waiting;
	int output;
};

static void
job_free(struct job *job)
{
	if (job->timer != NULL)
		event_free(job->timer);
	for (int i = 0; i < 3; i++)
		free(job->argv[i]);
	free(job);
}

static void
job_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct job *job = arg;

	(void)fd;
	(void)what;
	job->timed_out = 1;
	kill(-job->pid, SIGKILL);
	kill(job->pid, SIGKILL);
}

/* Says in BUF what went wrong; NULL if nothing did. */
static const char *
job_verdict(const struct job *job, int status, char *buf, size_t size)
{
	const char *name = job->argv[0];

	if (job->timed_out)
		snprintf(buf, size, "%s did not end within %u s and was killed",
		    name, job->runner->limits.timeout_ms / 1000);
	else if (WIFSIGNALED(status))
		snprintf(buf, size, "%s was killed by signal %d", name,
		    WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		snprintf(buf, size, "%s exited with status %d", name,
		    WEXITSTATUS(status));
	else
		return NULL;
	return buf;
}

/* Starts JOB. 0, or -1 with errno. */
static int
job_start(struct job *job)
{
	struct script_runner *r = job->runner;
	int out = r->output < 0 ? STDERR_FILENO : r->output;
	struct proc_spec spec = {
		.argv = (const char *const *)job->argv,
		.in = PROC_NULL,
		.out = out,
		.err = out,
	};
	struct timeval limit = {
		.tv_sec = r->limits.timeout_ms / 1000,
		.tv_usec = r->limits.timeout_ms % 1000 * 1000,
	};

	job->timer = evtimer_new(r->base, job_timeout, job);
	if (job->timer == NULL)
		return -1;
	if (proc_start(&spec, &job->pid) != 0) {
		job->pid = 0;
		return -1;
	}
	evtimer_add(job->timer, &limit);
	return 0;
}

static void
start_waiting(evutil_socket_t fd, short what, void *arg)
{
	struct script_runner *r = arg;
	char why[256];

	(void)fd;
	(void)what;
	while (r->waiting != NULL && r->n_running < r->limits.parallel) {
		struct job *job = r->waiting;

		r->waiting = job->next;
		if (r->waiting == NULL)
			r->waiting_tail = &r->waiting;
		r->n_waiting--;
		if (job_start(job) == 0) {
			job->next = r->running;
			r->running = job;
			r->n_running++;
			continue;
		}
		snprintf(why, sizeof(why), "cannot run %s: %s", job->argv[0],
		    strerror(errno));
		job->done(job->arg, why);
		job_free(job);
	}
}

/* Removes a finished job from the list before anybody is told. */
static void
job_finish(struct script_runner *r, struct job **link, int status)
{
	struct job *job = *link;
	char why[256];

	*link = job->next;
	r->n_running--;
	job->done(job->arg, job_verdict(job, status, why, sizeof(why)));
	job_free(job);
}

/* One signal may stand for many children. Only ours are reaped. */
static void
children_changed(evutil_socket_t fd, short what, void *arg)
{
	struct script_runner *r = arg;
	struct job **link = &r->running;
	int status;

	(void)fd;
	(void)what;
	while (*link != NULL) {
		pid_t pid = (*link)->pid;

		if (waitpid(pid, &status, WNOHANG) == pid) {
			job_finish(r, link, status);
			link = &r->running; /* done() may have changed it */
		} else {
			link = &(*link)->next;
		}
	}
	event_active(r->kick, EV_TIMEOUT, 0);
}

struct script_runner *
script_runner_new(struct event_base *base, const struct script_limits *limits)
{
	struct script_runner *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->base = base;
	r->limits = *limits;
	r->waiting_tail = &r->waiting;
	r->output = -1;
	r->sigchld = evsignal_new(base, SIGCHLD, children_changed, r);
	r->kick = evtimer_new(base, start_waiting, r);
	if (r->kick == NULL || r->sigchld == NULL ||
	    evsignal_add(r->sigchld, NULL) != 0) {
		script_runner_free(r);
		errno = ENOMEM;
		return NULL;
	}
	return r;
}

void
script_runner_free(struct script_runner *r)
{
	struct job *job;

	if (r == NULL)
		return;
	while ((job = r->running) != NULL) {
		r->running = job->next;
		kill(-job->pid, SIGKILL);
		waitpid(job->pid, NULL, 0);
		job_free(job);
	}
	while ((job = r->waiting) != NULL) {
		r->waiting = job->next;
		job_free(job);
	}
	if (r->sigchld != NULL)
		event_free(r->sigchld);
	if (r->kick != NULL)
		event_free(r->kick);
	free(r);
}

void
script_runner_set_output(struct script_runner *r, int fd)
{
	r->output = fd;
}

int
script_run(struct script_runner *r, const char *program, const char *arg1,
    const char *arg2, script_done_fn *done, void *arg)
{
	struct job *job = calloc(1, sizeof(*job));

	if (job == NULL)
		return -1;
	job->runner = r;
	job->argv[0] = strdup(program);
	job->argv[1] = strdup(arg1);
	job->argv[2] = strdup(arg2);
	job->done = done;
	job->arg = arg;
	if (job->argv[0] == NULL || job->argv[1] == NULL ||
	    job->argv[2] == NULL) {
		job_free(job);
		errno = ENOMEM;
		return -1;
	}
	*r->waiting_tail = job;
	r->waiting_tail = &job->next;
	r->n_waiting++;
	event_active(r->kick, EV_TIMEOUT, 0);
	return 0;
}

size_t
script_runner_busy(const struct script_runner *r)
{
	return r->n_running + r->n_waiting;
}
