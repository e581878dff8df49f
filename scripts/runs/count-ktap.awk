# SPDX-License-Identifier: GPL-2.0
# Counts results in KTAP files, as the kernel's test runner prints them: first the results of a
# program, prefixed with "# ", and then the runner's result for the program. The files are
# PART-KERNEL.out, and console-PART-KERNEL.out for the verdict on a guest's console. Prints the
# failures, each with the reason in up to three lines and the command that repeats it alone; the
# skipped tests; and in the last line "N passed, N failed, N skipped". `settings` is added to the
# commands.
#
# A program with fewer results than it planned counts as failed, and so does a program without
# results that did not skip, and a file with fewer results than planned.

function note(text) { if (text !~ /^[a-z0-9_]+ took [0-9.]+ s$/) notes[++noted] = text }

# Adds the settings to a command: make takes them as arguments, scripts from the environment.
function with_settings(command) {
	return command ~ /^make / || settings == "" ? command settings : substr(settings, 2) " " command
}

# Returns the command that repeats a case, or the whole part if it has no such case.
function again(case,    what, kernel, item, word, command) {
	what = file
	sub(/^console-/, "", what)
	kernel = what
	sub(/.*-/, "", kernel)
	what = substr(what, 1, length(what) - length(kernel) - 1)
	if (what == "setup") return with_settings("scripts/environment/setup.sh " kernel)
	if (what == "") return ""
	item = what
	if (what ~ /^(kselftest|order|numa|edu|soak)$/) {
		if (program != "") item = (what ~ /^(kselftest|order)$/ ? "" : what ":") program
		if (program != "" && case ~ /^[a-z0-9_]+$/) item = item ":" case
	} else if (what ~ /^(host|compile-fail|lint|runner|mutation|tool)$/ && case ~ /^[a-z0-9_]+$/)
		item = item ":" case
	# In this part, the names of programs begin with the kernel.
	if (what == "old-kernels" && split(program, word, " ") == 2) {
		item = item ":" word[1] ":" word[2]
		if (case ~ /^[a-z0-9_]+$/) item = item ":" case
	}
	command = (kernel == "debug" ? " KERNEL=debug" : "") settings
	if (what != "order") return "make quick WHAT=" item command
	# Alone, the case may pass. It may fail only after the cases before it.
	return (program == "" ? "" : "make quick WHAT=" item command "; in the same order: ") \
		"make quick WHAT=order LABYRINTH_SEED=" seed() command
}

# Returns the seed of the random order.
function seed(    name, line, found) {
	name = FILENAME_OF[file]
	sub(/console-/, "", name)
	sub(/\.[a-z]+$/, ".err", name)
	while ((getline line < name) > 0)
		if (match(line, /LABYRINTH_SEED=[0-9]+/))
			found = substr(line, RSTART + 15, RLENGTH - 15)
	close(name)
	return found
}

# Returns up to three of the notes: the first lines of an explanation; the exception of a traceback
# or of a syntax error, and its place; the first lines of a console; or else the last lines.
function why(    i, start, frame, text) {
	for (i = 1; i <= noted; i++) {
		if (notes[i] ~ /^Traceback /) { start = 0; frame = i }
		else if (notes[i] ~ /^ *File ".*", line [0-9]+/) frame = i
		else if (frame && !start && notes[i] ~ /^[^ ]/) start = i
		else if (!start && notes[i] ~ EXPLAINED) start = i
	}
	if (frame && start)
		return line_of(start) line_of(frame) (notes[frame + 1] ~ /^ / ? line_of(frame + 1) : "")
	if (!start) start = noted > 3 && file !~ /^console-/ ? noted - 2 : 1
	for (i = start; i <= noted && i < start + 3; i++) text = text line_of(i)
	return text
}
function line_of(i) { return "\n    " shortened(notes[i]) }
function shortened(text) { return length(text) > 300 ? substr(text, 1, 297) "..." : text }

# Returns the reason of a failure without notes: the lines that the part has left in its .why file,
# or else the last lines that it printed.
function why_beside(    name, line, found, text, command) {
	name = FILENAME_OF[file]
	sub(/\.[a-z]+$/, ".why", name)
	while ((getline line < name) > 0) {
		if (line ~ /^again: /) command = substr(line, 8)
		else if (found++ < 3) text = text "\n    " shortened(line)
	}
	close(name)
	if (!found) {
		sub(/\.why$/, ".err", name)
		while ((getline line < name) > 0) if (line != "") notes[++noted] = line
		close(name)
		text = why()
	}
	beside = command == "" ? "" : with_settings(command)
	return text
}

function fail(what, case,    reason, command) {
	beside = ""
	reason = noted ? why() : program == "" && file !~ /^console-/ ? why_beside() : ""
	command = beside == "" ? again(case) : beside
	if (command != "") command = "\n    again: " command
	failures[++failed] = "failed: " file ": " what reason command
	noted = 0
}

function result(line, skipped_why,    name, case) {
	name = line
	sub(/^(not )?ok [0-9]+ *(- )?/, "", name)
	if (line ~ /^not ok/) {
		case = name
		if (program != "" && index(case, program " ") == 1)
			case = substr(case, length(program) + 2)
		sub(/ *(#.*)?$/, "", case)
		# The results of lint are named CHECK KERNEL.
		if (file ~ /^lint-/) sub(/ .*/, "", case)
		# The verdict on a console contains the name of the case that ran.
		if (file ~ /^console-/ && match(name, /, while [^ ]+ ran$/)) {
			case = program = substr(name, RSTART + 8, RLENGTH - 12)
			sub(/:.*/, "", program)
			sub(/.*:/, "", case)
		}
		fail(name, case)
	} else if (line ~ /# SKIP/) {
		skipped++
		sub(/ *# SKIP */, skipped_why == "" ? ": " : "", name)
		skips[skipped] = "skipped: " file ": " (skipped_why == "" ? name : skipped_why)
	} else passed++
	noted = 0
}

function end_program(line,    comment) {
	comment = line
	if (!sub(/.*# /, "# ", comment)) comment = ""
	if (inner == 0) {
		result(line, why_skipped)
	} else {
		if (inner != inner_plan)
			fail(program ": " inner " results, " inner_plan + 0 " planned " comment)
		else if (line ~ /^not ok/ && inner_failed == 0) fail(program ": " line)
	}
	inner = inner_plan = inner_failed = noted = 0
	why_skipped = program = ""
}

function end_file() {
	if (file == "") return
	if (inner) end_program("not ok - died")
	if (plan == "") fail("no plan: it did not start, or died early")
	else if (plan != outer) fail(outer " results, " plan " planned: it died before its end")
}

function name_file(path) {
	file = path
	sub(/.*\//, "", file)
	sub(/\.(out|ktap)$/, "", file)
	FILENAME_OF[file] = path
	program = ""
}

BEGIN {
	EXPLAINED = "^(the kernel log is not clean|panicked: |expected error|lint found:)"
	EXPLAINED = EXPLAINED "|^the twin does not compile|no such case: "
}
FNR == 1 {
	end_file()
	seen[FILENAME]
	name_file(FILENAME)
	plan = ""
	outer = inner = inner_plan = inner_failed = noted = 0
	why_skipped = ""
}
/^1\.\.[0-9]+/ { plan = substr($0, 4) + 0; next }
/^# selftests: / { program = $0; sub(/.*: /, "", program); next }
/^# 1\.\.[0-9]+/ { inner_plan = substr($0, 6) + 0; next }
/^# # SKIP / { why_skipped = substr($0, 10); next }
/^# # / { note(substr($0, 5)); next }
/^# (not )?ok / {
	inner++
	line = substr($0, 3)
	if (line ~ /^not/) inner_failed++
	sub(/^(not )?ok [0-9]+ */, "&" program " ", line)
	result(line, why_skipped == "" ? "" : program " " why_skipped)
	why_skipped = ""
	next
}
/^(not )?ok / { outer++; end_program($0); next }
/^# / { note(substr($0, 3)) }
END {
	end_file()
	for (i = 1; i < ARGC; i++)
		if (!(ARGV[i] in seen) && ARGV[i] !~ /^[a-z_]+=/) {
			name_file(ARGV[i])
			noted = 0
			fail("empty")
		}
	for (i = 1; i <= failed; i++) print failures[i]
	for (i = 1; i <= skipped; i++) print skips[i]
	printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
}
