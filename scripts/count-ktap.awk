# SPDX-License-Identifier: GPL-2.0
# Counts results in KTAP files, as the kernel's test runner prints them: a program's own results,
# prefixed with "# ", before the runner's result for the program. Prints "passed failed skipped"
# and, before that, a line for each thing that was skipped or failed, and below what failed the last
# notes before its result, which say why.
#
# A program that ends without all the results it planned, or without any although it did not
# skip, counts as failed; so does a file that ends before its plan is fulfilled.

function note(text) { notes[++noted] = text }

function fail(what,    i) {
	failures[++failed] = "failed: " file ": " what
	for (i = noted > 12 ? noted - 11 : 1; i <= noted; i++)
		failures[failed] = failures[failed] "\n    " notes[i]
	noted = 0
}

function result(line, skipped_why,    name) {
	name = line
	sub(/^(not )?ok [0-9]+ *(- )?/, "", name)
	if (line ~ /^not ok/) fail(name)
	else if (line ~ /# SKIP/) {
		skipped++
		sub(/ *# SKIP */, skipped_why == "" ? ": " : "", name)
		skips[skipped] = "skipped: " file ": " (skipped_why == "" ? name : skipped_why)
	} else passed++
	noted = 0
}

function end_program(line) {
	if (inner == 0) {
		result(line, why)
	} else {
		if (inner != inner_plan) fail(program ": " inner " results, " inner_plan + 0 " planned")
		else if (line ~ /^not ok/ && inner_failed == 0) fail(program ": " line)
	}
	inner = inner_plan = inner_failed = noted = 0
	why = ""
}

function end_file() {
	if (file == "") return
	if (inner) end_program("not ok - died")
	if (plan == "") fail("no plan: it died early, or never began")
	else if (plan != outer) fail(outer " results, " plan " planned: it died on the way")
}

FNR == 1 {
	end_file()
	seen[FILENAME]
	file = FILENAME
	sub(/.*\//, "", file)
	sub(/\.(out|ktap)$/, "", file)
	plan = ""
	outer = inner = inner_plan = inner_failed = noted = 0
	why = ""
}
/^1\.\.[0-9]+/ { plan = substr($0, 4) + 0; next }
/^# selftests: / { program = $0; sub(/.*: /, "", program); next }
/^# 1\.\.[0-9]+/ { inner_plan = substr($0, 6) + 0; next }
/^# # SKIP / { why = substr($0, 10); next }
/^# # / { note(substr($0, 5)); next }
/^# (not )?ok / {
	inner++
	line = substr($0, 3)
	if (line ~ /^not/) inner_failed++
	sub(/^(not )?ok [0-9]+ */, "&" program " ", line)
	result(line, why == "" ? "" : program " " why)
	why = ""
	next
}
/^(not )?ok / { outer++; end_program($0); next }
/^# / { note(substr($0, 3)) }
END {
	end_file()
	for (i = 1; i < ARGC; i++)
		if (!(ARGV[i] in seen)) {
			file = ARGV[i]
			fail("empty")
		}
	for (i = 1; i <= skipped; i++) print skips[i]
	for (i = 1; i <= failed; i++) print failures[i]
	printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
}
