# Which of the variables in `given` no line of the Makefile names, with the nearest one that it does name. Made for awk
# because it has to work before Python is there. Usage: awk -v given="NAME ..." -f unknown_variables.awk Makefile ...
# What make hands to programs by the environment is none of its business: LOCALML_*, ARM_*, TF_*, SNOWFLAKE_*, ...
BEGIN { passed_on = "^(LOCALML|ARM|TF|SNOWFLAKE|AZURE|AZ|MLFLOW|DBT|PYTEST|UV|PIP|OMP|OPENBLAS)_" }

{
    line = $0
    if (match(line, /^(export |override )?[A-Za-z_]+ *[:?+]?=/)) {
        name = substr(line, RSTART, RLENGTH)
        gsub(/^export |^override |[ :?+=]/, "", name)
        known[name] = 1
    }
    while (match(line, /\$[({][A-Za-z_]+/)) {
        known[substr(line, RSTART + 2, RLENGTH - 2)] = 1
        line = substr(line, RSTART + RLENGTH)
    }
}

END {
    count = split(given, names, " ")
    for (number = 1; number <= count; number++) {
        name = names[number]
        if (name in known || name ~ passed_on) continue
        message = name " is not a variable of this Makefile"
        nearest = closest(name)
        print message (nearest == "" ? ": make prints what each verb takes" : ": did you mean " nearest "?")
    }
}

function closest(name,    each, found, best, distance) {
    best = length(name) > 8 ? 5 : 3  # letters that may differ, and one
    for (each in known) {
        if (each !~ /^[A-Z]/) continue
        distance = edits(toupper(name), each)
        if (distance < best || (distance == best && found != "" && each < found)) {
            best = distance
            found = each
        }
    }
    return found
}

# Levenshtein distance.
function edits(a, b,    i, j, row, above, kept, cost) {
    for (j = 0; j <= length(b); j++) row[j] = j
    for (i = 1; i <= length(a); i++) {
        above = row[0]
        row[0] = i
        for (j = 1; j <= length(b); j++) {
            kept = row[j]
            cost = above + (substr(a, i, 1) != substr(b, j, 1))
            if (row[j] + 1 < cost) cost = row[j] + 1
            if (row[j - 1] + 1 < cost) cost = row[j - 1] + 1
            row[j] = cost
            above = kept
        }
    }
    return row[length(b)]
}
