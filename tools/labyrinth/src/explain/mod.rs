// SPDX-License-Identifier: GPL-2.0

//! `labyrinth explain`: says why the requests failed that a kernel log reports.

mod collect;
mod gfp;
mod header;
mod judge;
mod kernel;
mod meminfo;
mod oom;
mod prefix;
mod report;
mod scan;
mod trace;
