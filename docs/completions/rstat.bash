# SPDX-License-Identifier: MIT
# bash completion for rstat(1), made by docs/completions/generate
# shellcheck shell=bash disable=SC2207
_rstat()
{
	local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}

	# "--output=json" comes as three words
	if [[ $current == = ]]; then
		current=
	elif [[ $before == = ]]; then
		before=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	case $before in
	-o|--output)
		COMPREPLY=($(compgen -W 'auto waybar i3bar json term text openmetrics' -- "$current"))
		return ;;
	-i|--interval)
		COMPREPLY=()
		return ;;
	-n|--count)
		COMPREPLY=()
		return ;;
	-t|--top)
		COMPREPLY=()
		return ;;
	--min-cpu)
		COMPREPLY=()
		return ;;
	--min-mem)
		COMPREPLY=()
		return ;;
	--min-io)
		COMPREPLY=()
		return ;;
	--text)
		COMPREPLY=()
		return ;;
	--alt)
		COMPREPLY=()
		return ;;
	--class-on)
		COMPREPLY=($(compgen -W 'load cpu mem pressure' -- "$current"))
		return ;;
	--warning)
		COMPREPLY=()
		return ;;
	--critical)
		COMPREPLY=()
		return ;;
	--file)
		compopt -o filenames; COMPREPLY=($(compgen -f -- "$current"))
		return ;;
	--temperature)
		COMPREPLY=()
		return ;;
	--gpu)
		COMPREPLY=()
		return ;;
	--battery)
		COMPREPLY=()
		return ;;
	--budget)
		COMPREPLY=()
		return ;;
	--attach)
		COMPREPLY=($(compgen -W 'auto btf raw perf proc' -- "$current"))
		return ;;
	--max-tasks)
		COMPREPLY=()
		return ;;
	--probe)
		compopt -o filenames; COMPREPLY=($(compgen -f -- "$current"))
		return ;;
	esac
	COMPREPLY=($(compgen -W '-o --output -i --interval -n --count --once -t --top --min-cpu --min-mem --min-io --no-kernel --text --alt --no-markup --class-on --warning --critical --file --names --temperature --gpu --battery --budget --attach --max-tasks --probe --check --bench --profile --list -h --help -V --version' -- "$current"))
}
complete -F _rstat rstat
