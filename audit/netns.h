/* SPDX-License-Identifier: MIT */
#ifndef AUDIT_NETNS_H
#define AUDIT_NETNS_H

/* Put this process into a network of its own; -1 and errno. */
int netns_enter(void);

#endif
