package datum

// MillisPerDay is the length of a day in milliseconds.
const MillisPerDay = 86_400_000

// Days returns the days since 1970-01-01 of a date of the Gregorian calendar.
func Days(year, month, day int) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	era := floorDiv(int64(year), 400)
	yearOfEra := int64(year) - era*400
	dayOfYear := int64((153*(month-3)+2)/5 + day - 1)
	return era*146097 + yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear - 719468
}

// Civil returns the date of days since 1970-01-01.
func Civil(days int64) (year, month, day int) {
	z := days + 719468
	era := floorDiv(z, 146097)
	dayOfEra := z - era*146097
	yearOfEra := (dayOfEra - dayOfEra/1460 + dayOfEra/36524 - dayOfEra/146096) / 365
	dayOfYear := dayOfEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	mp := (5*dayOfYear + 2) / 153
	day = int(dayOfYear - (153*mp+2)/5 + 1)
	month = int(mp + 3)
	year = int(yearOfEra + era*400)
	if month > 12 {
		month -= 12
		year++
	}
	return year, month, day
}

// DaysIn returns how many days a month has.
func DaysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	default:
		return 31
	}
}

// AddMonths adds months to a date; a day that the month does not have becomes its last.
func AddMonths(days, months int64) int64 {
	y, m, d := Civil(days)
	total := int64(y)*12 + int64(m) - 1 + months
	y, m = int(floorDiv(total, 12)), int(floorMod(total, 12))+1
	return Days(y, m, min(d, DaysIn(y, m)))
}

// Split divides milliseconds since 1970 into days and milliseconds of the day.
func Split(millis int64) (days, ofDay int64) {
	return floorDiv(millis, MillisPerDay), floorMod(millis, MillisPerDay)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }
