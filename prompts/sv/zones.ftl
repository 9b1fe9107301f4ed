# Cities whose time zones are offered by phone.

zone-honolulu = Honolulu
zone-anchorage = Anchorage
zone-los-angeles = Los Angeles
zone-denver = Denver
zone-chicago = Chicago
zone-new-york = New York
zone-halifax = Halifax
zone-sao-paulo = São Paulo
zone-azores = Azorerna
zone-london = London
zone-stockholm = Stockholm
zone-helsinki = Helsingfors
zone-istanbul = Istanbul
zone-johannesburg = Johannesburg
zone-dubai = Dubai
zone-karachi = Karachi
zone-delhi = Delhi
zone-dhaka = Dhaka
zone-bangkok = Bangkok
zone-shanghai = Shanghai
zone-tokyo = Tokyo
zone-sydney = Sydney
zone-auckland = Auckland
zone-utc = världstiden
